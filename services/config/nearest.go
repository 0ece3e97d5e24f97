package config

// nearest returns the name that was probably meant, "" where none is close: a
// third of its letters may be wrong, swapped, missing or too many.
func nearest(s string, names []string) string {
	if len(s) > 64 {
		return ""
	}
	best, found := max(len(s)/3, 1)+1, ""
	for _, name := range names {
		if len(name)-len(s) >= best || len(s)-len(name) >= best {
			continue
		}
		if d := distance(s, name); d < best && d < len(name) {
			best, found = d, name
		}
	}
	return found
}

// distance counts the edits from a to b, a swap of neighbours as one.
func distance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
