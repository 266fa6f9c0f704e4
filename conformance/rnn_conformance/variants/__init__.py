"""Right and deliberately wrong implementations, by which the suite itself is judged."""
