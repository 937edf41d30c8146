//! Values as Kubernetes' protobuf.
