"""The overlap rules, exported to Python as an enum."""
