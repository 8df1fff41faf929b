// The words of a pipeline are in core, since the configuration makes what is used here.
export type {
  CorrelationSpec,
  EnricherSpec,
  FilterSpec,
  MetadataSpec,
  MultilineSpec,
  ParserSpec,
  PipelineSpec,
  RateLimitSpec,
  RedactionSpec,
  SamplingSpec,
} from '@hsu-master/core';
