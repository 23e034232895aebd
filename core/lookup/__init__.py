"""Where songs and their figures come from: Last.fm, the catalogue, recorded figures, art."""
