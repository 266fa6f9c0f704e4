"""Reports for people: Markdown, a page, a badge, a scoreboard; and how a file of one is read."""
