"""The kernel: values and rules of thumb that every room may use. Standard library only."""
