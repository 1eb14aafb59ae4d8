package configs

import "strings"

// nearest returns the candidate that a mistyped name most likely means, or "".
// Capitals, dots, dashes and underscores make no difference. A name that fits
// the end of a candidate (listen for dns.listen) counts as slightly wrong.
func nearest(name string, candidates []string) string {
	name = plain(name)
	best, bestDistance := "", 1+len(name)/4
	for _, candidate := range candidates {
		distance := editDistance(name, plain(candidate))
		if strings.HasSuffix(plain(candidate), "_"+name) {
			distance = min(distance, 1)
		}
		if distance <= bestDistance && (best == "" || distance < bestDistance) {
			best, bestDistance = candidate, distance
		}
	}
	return best
}

// didYouMean is the end of a message about an unknown name.
func didYouMean(name string, candidates []string) string {
	if near := nearest(name, candidates); near != "" {
		return ", did you mean " + near + "?"
	}
	return ""
}

var plainer = strings.NewReplacer(".", "_", "-", "_")

func plain(name string) string {
	return plainer.Replace(strings.ToLower(name))
}

// editDistance counts the single octets to insert, delete or change to make b
// of a (Levenshtein), one row of the table at a time.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
