"""What watches the other projects, and tells."""
