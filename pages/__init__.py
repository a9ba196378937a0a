"""What the documentation is made with: reference, figures, pictures of the guides; no part of the package."""
