"""The pages, a module for each group; each adds its routes with `add_routes`."""
