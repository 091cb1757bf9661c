"""The modelled kernel. A file is named after its counterpart in mm/ and holds the same functions."""
