"""What programs hand over, turned into values. User code may be called here, and nowhere further in."""
