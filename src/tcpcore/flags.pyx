"""Enums of flags.pxd as Python sees them."""
