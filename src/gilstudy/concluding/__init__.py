"""What follows, from a saved record alone: ratios, verdicts, claims."""
