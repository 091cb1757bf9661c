"""The drivers: they decide who moves next, and call the kernel's ``step()``."""
