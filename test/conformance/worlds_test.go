package conformance

import (
	"testing"

	"github.com/miekg/dns"
)

// plainWorld is unsigned zones of every kind, a parent and its child among them.
func plainWorld(t testing.TB) *world {
	t.Helper()
	w := &world{name: "plain"}
	w.add(t, "hurt.test.", hurtful(t, "hurt.test."))
	w.add(t, "parent.test.", load(t, "parent.test.", "parent"))
	w.add(t, "child.parent.test.", load(t, "child.parent.test.", "child"))
	w.add(t, "tld.", load(t, "tld.", "tld"))
	w.add(t, "single.test.", load(t, "single.test.", "single"))
	w.add(t, "apex-dname.test.", load(t, "apex-dname.test.", "apex-dname"))
	w.add(t, "apex-cut.test.", load(t, "apex-cut.test.", "apex-cut"))
	w.add(t, "tiny.test.", load(t, "tiny.test.", "tiny"))
	return w
}

// rootWorld is the root zone alone: beside it no name is without a zone.
func rootWorld(t testing.TB) *world {
	t.Helper()
	w := &world{name: "root"}
	w.add(t, ".", load(t, ".", "root"))
	return w
}

// signedWorld is the zones that hurt with each kind of proof, and a signed child
// beside its parents.
func signedWorld(t testing.TB) *world {
	t.Helper()
	w := &world{name: "signed"}
	for apex, how := range map[string]proof{"nsec.test.": nsec, "nsec3.test.": nsec3, "optout.test.": optOut} {
		w.addSigned(t, apex, hurtful(t, apex), how)
	}
	for apex, how := range map[string]proof{"tiny-nsec.test.": nsec, "tiny-nsec3.test.": nsec3Old} {
		w.addSigned(t, apex, load(t, apex, "tiny"), how)
	}
	for apex, how := range map[string]proof{"p-nsec.test.": nsec, "p-nsec3.test.": nsec3Old, "p-optout.test.": optOut} {
		child := "secure." + apex
		ds := w.addSigned(t, child, load(t, child, "secure-child"), how)
		w.addSigned(t, apex, append(load(t, apex, "secure-parent"), parseText(t, apex, ds)...), how)
	}
	return w
}

// signedRootWorld is the root zone, signed.
func signedRootWorld(t testing.TB) *world {
	t.Helper()
	w := &world{name: "signed-root"}
	w.addSigned(t, ".", load(t, ".", "root"), nsec)
	return w
}

func (w *world) add(t testing.TB, apex string, records []dns.RR) {
	t.Helper()
	w.zones = append(w.zones, newZone(t, apex, records))
}

// addSigned signs a zone and adds it. It returns the DS for its parent.
func (w *world) addSigned(t testing.TB, apex string, records []dns.RR, how proof) string {
	t.Helper()
	s := sign(t, apex, records, how)
	w.add(t, apex, s.records)
	if w.anchors == nil {
		w.anchors = make(map[string]string)
	}
	w.anchors[apex] = s.anchor
	return s.ds
}
