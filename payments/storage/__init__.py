"""What the service keeps, behind small interfaces."""
