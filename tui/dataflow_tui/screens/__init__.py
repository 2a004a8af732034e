"""What lies over the view for a moment: help, a question, a form, a text."""
