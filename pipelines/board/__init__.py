"""Every trial and every training of a pipeline's runs side by side: rows, statistics, comparison, page, tracking."""
