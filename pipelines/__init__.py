"""One YAML definition → plan → run → report."""
