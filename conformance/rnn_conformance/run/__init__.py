"""From an implementation to a report: smoke check, child processes, verdict; score and soak."""
