// Package mapped gives back the memory that files take which are mapped into
// the process: every page that was ever touched counts as the process's memory
// from then on, however long ago that was. Nothing is unmapped and nothing is
// lost: what is used again comes from the system's cache. Where the system is
// not Linux nothing is done.
package mapped
