"""TCP capture analysis for Python."""
