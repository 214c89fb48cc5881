"""What the service sends, behind small interfaces."""
