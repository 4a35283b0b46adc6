"""Who holds the GIL? A native thread looks, and what it saw becomes states, waits and stalls."""
