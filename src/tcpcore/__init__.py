"""The compiled core: stages over batches of captured frames."""
