"""Pages that anyone can open: one self-contained HTML file each, which asks the network for nothing."""
