"""Each step stands for itself: it imports nothing that a later version of the program changes."""
