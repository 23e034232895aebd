"""The page: a third thin adapter, served to browsers by the same process."""
