package api

import "secondaryd/zonestore/registry"

// zoneView is a zone as a whole, with every member that the vendor's clients
// expect. Most mean nothing here and never change.
type zoneView struct {
	ID                  string      `json:"id"`
	Name                string      `json:"name"`
	Type                string      `json:"type"`
	Status              string      `json:"status"`
	Paused              bool        `json:"paused"`
	DevelopmentMode     int         `json:"development_mode"`
	NameServers         []string    `json:"name_servers"`
	OriginalNameServers []string    `json:"original_name_servers"`
	OriginalRegistrar   *string     `json:"original_registrar"`
	OriginalDNSHost     *string     `json:"original_dnshost"`
	VanityNameServers   []string    `json:"vanity_name_servers"`
	Account             zoneAccount `json:"account"`
	Owner               zoneOwner   `json:"owner"`
	Plan                zonePlan    `json:"plan"`
	Meta                zoneMeta    `json:"meta"`
	Permissions         []string    `json:"permissions"`
	Created             timestamp   `json:"created_on"`
	Modified            timestamp   `json:"modified_on"`
	Activated           *timestamp  `json:"activated_on"`
}

// zoneAccount is an account. Accounts have no names but their ids.
type zoneAccount struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type zoneOwner struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

type zonePlan struct {
	ID                string `json:"id"`
	Name              string `json:"name"`
	Price             int    `json:"price"`
	Currency          string `json:"currency"`
	Frequency         string `json:"frequency"`
	IsSubscribed      bool   `json:"is_subscribed"`
	CanSubscribe      bool   `json:"can_subscribe"`
	ExternallyManaged bool   `json:"externally_managed"`
	LegacyID          string `json:"legacy_id"`
	LegacyDiscount    bool   `json:"legacy_discount"`
}

type zoneMeta struct {
	Step                   int  `json:"step"`
	CustomCertificateQuota int  `json:"custom_certificate_quota"`
	PageRuleQuota          int  `json:"page_rule_quota"`
	PhishingDetected       bool `json:"phishing_detected"`
}

// onlyPlan is what every zone is on: there is nothing to pay.
var onlyPlan = zonePlan{
	ID: "00000000000000000000000000000000", Name: "secondaryd", Currency: "USD", Frequency: "monthly",
	IsSubscribed: true, LegacyID: "secondaryd",
}

// showZone joins what is stored of a zone with the state of its copy.
func (s *Server) showZone(zone registry.ListedZone) zoneView {
	vanity := zone.Vanity
	if vanity == nil {
		vanity = []string{}
	}
	return zoneView{
		ID: zone.ID, Name: shownName(zone.Name), Type: zoneType, Status: s.zoneStatus(zone.ID), Paused: zone.Paused,
		NameServers: []string{}, VanityNameServers: vanity, Permissions: []string{},
		Account: zoneAccount{zone.Account, zone.Account}, Owner: zoneOwner{zone.Account, zone.Account, "organization"},
		Plan: onlyPlan, Created: timestamp(zone.Created), Modified: timestamp(zone.Modified),
	}
}
