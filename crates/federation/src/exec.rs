//! The scan that streams a fragment's rows.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{Stream, StreamExt};
use inflowave_connector_api::ScanContext;
use inflowave_types::{Error, SqlState};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{FederationContext, RemoteScanNode, RemoteStart};

/// Batches that wait between the driver's task and the query, at most.
const BATCHES_WAITING_MAX: usize = 2;

/// Runs one fragment at its source, in one partition.
#[derive(Debug)]
pub struct RemoteScanExec {
    node: RemoteScanNode,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl RemoteScanExec {
    pub fn new(node: RemoteScanNode) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&node.query.schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        // Its stream is a channel's receiver, which yields by itself.
        .with_scheduling_type(SchedulingType::Cooperative);
        RemoteScanExec {
            node,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for RemoteScanExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "RemoteScanExec: {}: {}",
            self.node.fragment.catalog(),
            self.node.query.text
        )
    }
}

impl ExecutionPlan for RemoteScanExec {
    fn name(&self) -> &str {
        "RemoteScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.node.query.schema);
        let inexact = |n: Option<u64>| match n {
            Some(n) => Precision::Inexact(usize::try_from(n).unwrap_or(usize::MAX)),
            None => Precision::Absent,
        };
        statistics.num_rows = inexact(self.node.rows_estimate);
        statistics.total_byte_size = inexact(self.node.bytes_estimate);
        Ok(Arc::new(statistics))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let federation = context
            .session_config()
            .get_extension::<FederationContext>()
            .ok_or_else(|| {
                DataFusionError::Internal("a remote scan outside a query of the engine".into())
            })?;
        let cancel = federation.cancel.child_token();
        let guard = cancel.clone().drop_guard();
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING_MAX);
        let io = federation.io.clone();
        io.spawn(drive(
            self.node.clone(),
            Arc::clone(&federation),
            cancel,
            sender,
        ));
        Ok(Box::pin(RemoteStream {
            schema: Arc::clone(&self.node.query.schema),
            receiver,
            ended: false,
            metrics: BaselineMetrics::new(&self.metrics, partition),
            _guard: guard,
        }))
    }
}

type Item = std::result::Result<Option<RecordBatch>, Error>;

/// Reads the source on the I/O runtime. The last message is `None` or an error, so that a task
/// that dies is never taken for the end of the rows.
async fn drive(
    node: RemoteScanNode,
    federation: Arc<FederationContext>,
    cancel: CancellationToken,
    sender: mpsc::Sender<Item>,
) {
    let observer = &federation.observer;
    let remote_id = observer.started(RemoteStart {
        query_id: federation.query_id,
        catalog: node.fragment.catalog(),
        text: &node.query.text,
    });
    let outcome = tokio::select! {
        outcome = read(&node, &federation, &cancel, &sender, remote_id) => outcome,
        // The query is gone or cancelled: dropping the stream cancels at the source.
        () = cancel.cancelled() => Ok(false),
    };
    observer.finished(remote_id, outcome.as_ref().map(|whole| *whole));
    let last = match outcome {
        Ok(true) => Ok(None),
        Ok(false) => Err(Error::new(
            SqlState::QueryCanceled,
            "canceling statement due to user request",
        )),
        Err(error) => Err(error),
    };
    // Nobody listens any more when the query was dropped.
    let _ = sender.send(last).await;
}

/// `true`: every row was delivered; `false`: nobody wanted more.
async fn read(
    node: &RemoteScanNode,
    federation: &FederationContext,
    cancel: &CancellationToken,
    sender: &mpsc::Sender<Item>,
    remote_id: u64,
) -> std::result::Result<bool, Error> {
    let (catalog, source) = (node.fragment.catalog(), node.fragment.source());
    let context = ScanContext {
        query_id: federation.query_id,
        snapshot: federation.snapshots.of(catalog, source.as_ref()).await?,
        cancel: cancel.clone(),
        batch_rows: federation.batch_rows,
        // Sources take no part in runtime filters yet: joins filter here.
        runtime_filters: Vec::new(),
    };
    let query = Arc::clone(&node.query);
    let mut stream = source.execute(query, context).await?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        if batch.schema() != node.query.schema {
            return Err(Error::internal(format!(
                "source \"{}\" gave rows of another schema than was planned",
                node.fragment.catalog()
            )));
        }
        federation
            .observer
            .received(remote_id, batch.num_rows(), batch.get_array_memory_size());
        if sender.send(Ok(Some(batch))).await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

struct RemoteStream {
    schema: SchemaRef,
    receiver: mpsc::Receiver<Item>,
    ended: bool,
    metrics: BaselineMetrics,
    _guard: DropGuard,
}

impl Stream for RemoteStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = match self.receiver.poll_recv(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(Some(batch)))) => {
                return self.metrics.record_poll(Poll::Ready(Some(Ok(batch))));
            }
            Poll::Ready(Some(Ok(None))) => None,
            Poll::Ready(Some(Err(error))) => Some(Err(external(error))),
            // The task ended without its last message: it panicked.
            Poll::Ready(None) => Some(Err(external(Error::internal(
                "the task that read a source died",
            )))),
        };
        self.ended = true;
        self.metrics.record_poll(Poll::Ready(item))
    }
}

impl RecordBatchStream for RemoteStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
