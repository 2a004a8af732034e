"""What fills the screen: one view for each question, shown one at a time."""
