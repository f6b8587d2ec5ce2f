"""The scale of a reference: sets whose quality is known, and what samples score beside them."""
