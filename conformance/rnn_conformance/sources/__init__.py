"""Ways in: from what a user names or passes to an implementation that can be asked."""
