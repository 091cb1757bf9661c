"""``python -m cowpath``: the command line."""

from cowpath.cli import main

if __name__ == "__main__":
    main()
