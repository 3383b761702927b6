"""Speed: generated traffic, one benchmark a stage, and the peers side by side."""
