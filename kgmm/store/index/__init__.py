"""The index beside the table: sorted, mapped arrays that answer every pattern."""
