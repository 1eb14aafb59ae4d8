package wire

// Types, classes and opcodes that the daemon treats by rules of their own; all
// others are carried as they come (RFC 3597).
const (
	TypeA          = 1
	TypeNS         = 2
	TypeMD         = 3
	TypeMF         = 4
	TypeCNAME      = 5
	TypeSOA        = 6
	TypeMB         = 7
	TypeMG         = 8
	TypeMR         = 9
	TypePTR        = 12
	TypeHINFO      = 13
	TypeMINFO      = 14
	TypeMX         = 15
	TypeTXT        = 16
	TypeRP         = 17
	TypeAFSDB      = 18
	TypeRT         = 21
	TypeSIG        = 24
	TypeKEY        = 25
	TypePX         = 26
	TypeAAAA       = 28
	TypeNXT        = 30
	TypeSRV        = 33
	TypeNAPTR      = 35
	TypeKX         = 36
	TypeDNAME      = 39
	TypeOPT        = 41
	TypeDS         = 43
	TypeRRSIG      = 46
	TypeNSEC       = 47
	TypeDNSKEY     = 48
	TypeNSEC3      = 50
	TypeNSEC3PARAM = 51
	TypeCDS        = 59
	TypeCDNSKEY    = 60
	TypeZONEMD     = 63
	TypeSVCB       = 64
	TypeHTTPS      = 65
	TypeTKEY       = 249
	TypeTSIG       = 250
	TypeIXFR       = 251
	TypeAXFR       = 252
	TypeMAILB      = 253
	TypeMAILA      = 254
	TypeANY        = 255

	ClassIN   = 1
	ClassCH   = 3
	ClassNONE = 254
	ClassANY  = 255

	OpcodeQuery  = 0
	OpcodeNotify = 4
	OpcodeUpdate = 5
)

// IsData reports whether records of type t can be part of a zone. Type 0, OPT,
// and the meta and question types 128 to 255 (RFC 6895 section 3.1) can not.
func IsData(t uint16) bool {
	return t != 0 && t != TypeOPT && (t < 128 || t > 255)
}
