"""Sessions: a shell script and its program table become a plan for the machine.

``load`` reads one, ``plan`` is what comes out. Nothing is imported here: cases make plans too, and need no shell.
"""
