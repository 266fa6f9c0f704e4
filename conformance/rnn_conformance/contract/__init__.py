"""What is promised: a call, an answer, claims, conventions, the specification."""
