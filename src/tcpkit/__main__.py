"""``python -m tcpkit``."""
from tcpkit.cli import main

main()
