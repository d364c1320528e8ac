"""The foundation under every room. Each module is a face of its own."""
