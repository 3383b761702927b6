"""What is fuzzed: each module has ``one(data)``, and ``seeds()`` to begin from."""
