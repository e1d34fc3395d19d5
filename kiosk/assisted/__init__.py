"""Helper mode (帮办): who helps, who waits, what a family shares within one visit, lessons."""
