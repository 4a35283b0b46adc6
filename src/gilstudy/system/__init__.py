"""How we get on with the system: files, streams, signals, children, and room for what does not last."""
