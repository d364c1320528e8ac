"""What a teen asks for and what a family proposes to each other."""
