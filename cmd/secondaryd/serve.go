package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"secondaryd/configs"
)

func serveCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), file)
		},
	}
	configFlag(cmd, &file)
	return cmd
}

// serve runs the daemon until SIGTERM or SIGINT; SIGHUP reloads.
func serve(ctx context.Context, file string) error {
	config, err := configs.Load(file, os.Environ())
	if err != nil {
		return err
	}
	log, level, err := newLogger(config.Log)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)

	d, err := newDaemon(config, log)
	if err != nil {
		return err
	}
	r := &reloader{file: file, dir: config.DataDir, now: config, level: level, tokens: d.tokens, api: d.api, dns: d.dns, log: log}
	err = d.run(ctx, func(ctx context.Context) {
		for {
			select {
			case <-hup:
				r.reload()
			case <-ctx.Done():
				log.Info("stopping")
				return
			}
		}
	})
	if err != nil {
		return err
	}
	log.Info("stopped", zap.String("version", version()))
	return nil
}
