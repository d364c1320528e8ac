"""What every room stands on. Each module is a face of its own."""
