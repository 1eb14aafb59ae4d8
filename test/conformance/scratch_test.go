package conformance
import ("testing";"os";"secondaryd/test/harness")
func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
func TestScratch(t *testing.T) {
	for _, w := range []*world{plainWorld(t), rootWorld(t), signedWorld(t), signedRootWorld(t)} {
		t.Log(w.name, w.serve(t, false))
		for _, z := range w.zones { t.Log(z.apex, len(z.records), len(z.nodes)) }
	}
}
