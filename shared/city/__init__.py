"""The city: what the files of a jurisdiction's folder say, read, checked and turned into values."""
