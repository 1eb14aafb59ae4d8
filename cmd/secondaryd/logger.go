package main

import (
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"secondaryd/configs"
)

// newLogger writes to standard error in the form the settings ask for. The
// level can be changed later.
func newLogger(c configs.Log) (*zap.Logger, zap.AtomicLevel, error) {
	level, err := zap.ParseAtomicLevel(c.Level)
	if err != nil {
		return nil, level, err
	}
	return zap.New(zapcore.NewCore(encoder(c.Format), zapcore.Lock(os.Stderr), level)), level, nil
}

func encoder(format string) zapcore.Encoder {
	e := zap.NewProductionEncoderConfig()
	e.TimeKey = "time"
	e.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	e.EncodeDuration = zapcore.StringDurationEncoder
	if format == "console" {
		e.EncodeLevel = zapcore.CapitalLevelEncoder
		return zapcore.NewConsoleEncoder(e)
	}
	return zapcore.NewJSONEncoder(e)
}
