"""What tests of several rooms share: factories and helpers."""
