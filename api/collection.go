package api

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// collection is the objects of one kind in an account, with the operations
// that all kinds have alike.
type collection[T any] struct {
	name     string // in the path
	notFound problem
	list     func(*registry.Registry, string) []T // of an account
	find     func(*registry.Registry, string) (T, bool)
	account  func(T) string
	revision func(T) uint64
	parse    func(f *form, account, id string) T
	get      func(*registry.Tx, string) (T, bool)
	put      func(*registry.Tx, T) error
	remove   func(*registry.Tx, string) error
	show     func(T) any // the form for clients
	mask     func(T) T   // hides what is only for those who may edit; nil if there is nothing
}

func (col collection[T]) routes(s *Server) []route {
	all := "/accounts/:account_id/secondary_dns/" + col.name
	one := all + "/:id"
	bind := func(handler func(*Server, echo.Context) error) echo.HandlerFunc {
		return func(c echo.Context) error { return handler(s, c) }
	}
	return []route{
		{http.MethodGet, all, readers, bind(col.handleList)},
		{http.MethodPost, all, editors, bind(col.handleCreate)},
		{http.MethodGet, one, readers, bind(col.handleGet)},
		{http.MethodPut, one, editors, bind(col.handleUpdate)},
		{http.MethodDelete, one, editors, bind(col.handleDelete)},
	}
}

// showTo gives the form of an object that the caller may see.
func (col collection[T]) showTo(c echo.Context, object T) any {
	if col.mask != nil && !mayEdit(c) {
		object = col.mask(object)
	}
	return col.show(object)
}

func (col collection[T]) handleList(s *Server, c echo.Context) error {
	objects := col.list(s.Registry, c.Param("account_id"))
	shown := make([]any, len(objects))
	for i, object := range objects {
		shown[i] = col.showTo(c, object)
	}
	return respond(c, shown)
}

func (col collection[T]) handleGet(s *Server, c echo.Context) error {
	object, ok := col.find(s.Registry, c.Param("id"))
	if !ok || col.account(object) != c.Param("account_id") {
		return failure{col.notFound}
	}
	return respondTagged(c, s.entityTag(col.revision(object)), col.showTo(c, object))
}

func (col collection[T]) handleCreate(s *Server, c echo.Context) error {
	id := newID()
	if err := col.store(s, c, id, func(*registry.Tx) error { return nil }); err != nil {
		return err
	}
	c.Set(createdKey, id)
	return nil
}

func (col collection[T]) handleUpdate(s *Server, c echo.Context) error {
	account, id := c.Param("account_id"), c.Param("id")
	return col.store(s, c, id, func(tx *registry.Tx) error { return col.mayChange(s, c, tx, account, id) })
}

// mayChange refuses an object that is not there or another account's, alike, and
// one that is not as the client knows it.
func (col collection[T]) mayChange(s *Server, c echo.Context, tx *registry.Tx, account, id string) error {
	object, ok := col.get(tx, id)
	if !ok || col.account(object) != account {
		return failure{col.notFound}
	}
	return precondition(c, s.entityTag(col.revision(object)))
}

// store puts the object of the body if may does not object.
func (col collection[T]) store(s *Server, c echo.Context, id string, may func(*registry.Tx) error) error {
	f, err := s.readForm(c)
	if err != nil {
		return err
	}
	object := col.parse(f, strings.Clone(c.Param("account_id")), strings.Clone(id)) // or they would keep the whole request
	err = s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		if err := may(tx); err != nil {
			return err
		}
		if err := f.join(col.put(tx, object)); err != nil {
			return err
		}
		object, _ = col.get(tx, id)
		return nil
	})
	if err != nil {
		return err
	}
	return respondTagged(c, s.entityTag(col.revision(object)), col.showTo(c, object))
}

func (col collection[T]) handleDelete(s *Server, c echo.Context) error {
	account, id := c.Param("account_id"), c.Param("id")
	err := s.Registry.Update(c.Request().Context(), func(tx *registry.Tx) error {
		if err := col.mayChange(s, c, tx, account, id); err != nil {
			return err
		}
		return col.remove(tx, id)
	})
	if err != nil {
		return err
	}
	return respond(c, identifier{id})
}
